/** `npm run phone -- scan | approve | deny`: a phone without a phone, for end-to-end tests. Uses the public endpoints alone. */
import { createInterface } from 'node:readline';
import { Options, UsageError } from './command.js';
import { PASSWORD_OPTIONS, readPassword } from './password-option.js';
import { PhoneClient, type Scanned } from './phone-client.js';
import { PhoneError } from './phone-error.js';
import { readQr } from './read-qr.js';

const VERBS = ['scan', 'approve', 'deny'] as const;
type Verb = (typeof VERBS)[number];

const USAGE = `Usage: npm run phone -- scan|approve|deny <QR url or image file>
  --username U (--password P | --password-file F) [--match-code NN] [--remember]

approve and deny scan first and write the line "scanned" to standard error. approve then takes the two digits that
the waiting page shows from --match-code, else from one line of standard input. A code read after an earlier
"phone scan" of the same ticket is still right: both calls are the same phone. Where the site asks for a fresh sign-in,
approve proves itself with the password. --remember: the browser stays signed in. Prints one JSON object.
`;

const OPTIONS = {
  qr: { type: 'string' },
  username: { type: 'string' },
  ...PASSWORD_OPTIONS,
  'match-code': { type: 'string' },
  remember: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface Input {
  verb: Verb;
  qr: string;
  username: string;
  password: string;
  matchCode: string | undefined;
  remember: boolean;
}

function readInput(args: string[]): Input {
  const [word, ...rest] = args;
  const verb = VERBS.find((name) => name === word);
  if (!verb) throw new UsageError(`the first word must be one of ${VERBS.join(', ')}`);
  const options = Options.parse(rest, { options: OPTIONS, positional: 'qr' });
  if (options.optional('qr') === undefined) throw new UsageError('the QR url or image file is missing');
  const matchCode = options.optional('match-code');
  if (matchCode !== undefined && !/^\d{2}$/.test(matchCode)) throw new UsageError('--match-code must be two digits');
  const remember = options.flag('remember');
  if (remember && verb !== 'approve') throw new UsageError('--remember goes with approve');
  return {
    verb,
    qr: options.required('qr'),
    username: options.required('username'),
    password: readPassword(options),
    matchCode,
    remember,
  };
}

async function run(input: Input): Promise<object> {
  const client = new PhoneClient(await readQr(input.qr));
  const scanned = await client.scan(input.username, input.password);
  // The grant stays here: a later call scans again as the same phone and gets its own.
  const { scan_grant: grant, ...seen } = scanned;
  if (input.verb === 'scan') return { status: 'scanned', ...seen };
  process.stderr.write('scanned\n');
  const { verb, remember } = input;
  if (remember && scanned.remember === 'off') {
    throw new UsageError('--remember: the site that shows this QR code cannot offer it; leave it out');
  }
  const answer =
    verb === 'deny'
      ? await client.deny(grant)
      : await client.confirm(grant, input.matchCode ?? (await matchCodeFor(scanned)), { remember });
  const { client: site, request, browser, place } = seen;
  return { ...answer, client: site, request, browser, place };
}

/** From one line of standard input, and no longer than the ticket lives. */
async function matchCodeFor(scanned: Scanned): Promise<string | undefined> {
  if (scanned.match_code === 'off') return undefined;
  const lines = createInterface({ input: process.stdin });
  const line = await new Promise<string | undefined>((resolve, reject) => {
    const late = () => reject(new PhoneError('gone', 'the QR code expired before a match code came on standard input'));
    setTimeout(late, scanned.expires_in * 1000).unref();
    lines.once('line', resolve);
    lines.once('close', () => resolve(undefined));
  }).finally(() => lines.close());
  const code = line?.trim();
  if (code === undefined || !/^\d{2}$/.test(code)) {
    throw new PhoneError(
      'match_code_missing',
      'give the two digits of the waiting page: --match-code NN, or one line on standard input',
    );
  }
  return code;
}

function toError(error: unknown): { error: string; error_description: string } {
  if (error instanceof UsageError) process.stderr.write(USAGE);
  const code = error instanceof PhoneError ? error.code : error instanceof UsageError ? 'usage' : 'unexpected';
  return { error: code, error_description: (error as Error).message };
}

/** Ends the process once the answer is out: kept-alive connections and an open standard input must not hold it. */
function finish(text: string, exitCode: number): void {
  process.stdout.write(text, () => process.exit(exitCode));
}

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  finish(USAGE, 0);
} else {
  try {
    finish(`${JSON.stringify(await run(readInput(args)))}\n`, 0);
  } catch (error) {
    finish(`${JSON.stringify(toError(error))}\n`, 1);
  }
}
