/** GET /admin/api/openapi.json: the administration API as its OpenAPI document. */
import type { AppRouterContext } from '../context.js';
import { NOTHING } from '../middleware/read-body.js';
import { type Description, openApi } from '../openapi.js';
import { CHANGED_CLIENT, CLIENT, CLIENT_WITH_SECRET, CLIENTS, REDIRECT_CHECK, REFUSAL } from './answers.js';
import { CLIENT_CHANGE, NEW_CLIENT, REDIRECT_URI, ROTATION } from './client-body.js';
import { type AdminOperation, OPERATIONS, type SchemaName } from './operations.js';

const DESCRIPTION = `For programs: each call names a token in the Authorization header, made by "npm run admin -- tokens
create". The console's pages call with their session instead. Errors are JSON: error, error_description. What is said in
words is in the language of Accept-Language: English or Simplified Chinese.`;

const TOKEN = [{ apiToken: [] }, { consoleSession: [] }];

export const ADMIN_API: Description<SchemaName, AdminOperation['by']> = {
  title: 'qrconnect: administration',
  description: DESCRIPTION,
  operations: OPERATIONS,
  schemas: {
    NewClient: NEW_CLIENT,
    ClientChange: CLIENT_CHANGE,
    Rotation: ROTATION,
    RedirectUri: REDIRECT_URI,
    Nothing: NOTHING,
    Client: CLIENT,
    Clients: CLIENTS,
    ClientWithSecret: CLIENT_WITH_SECRET,
    ChangedClient: CHANGED_CLIENT,
    RedirectCheck: REDIRECT_CHECK,
    Error: REFUSAL,
  },
  security: {
    reader: TOKEN,
    writer: TOKEN,
    anyone: [{}],
  },
  securitySchemes: {
    apiToken: { type: 'http', scheme: 'bearer', description: 'Not a read-only one where something changes.' },
    consoleSession: {
      type: 'apiKey',
      in: 'cookie',
      name: '__Host-console',
      description: "Of the console's own pages, which send X-CSRF-Token with every change.",
    },
  },
  id: 'The client_id.',
};

export function adminDocument({ publicUrl }: { publicUrl: string }) {
  const document = openApi(publicUrl, ADMIN_API);
  return (ctx: AppRouterContext): void => {
    ctx.body = document;
  };
}
