/** How a ticket of the embed and headless doors ends: an address at the site that carries the code, or the refusal. */
import type { ClientService } from '../../client/client-service.js';
import type { AuthorizationAnswer, CodeIssuer } from '../../engine/code-issuer.js';
import { AppError } from '../../error.js';
import type { Ticket } from '../../ticket/ticket.js';
import { answerUrl } from '../connect/answer-url.js';

export interface Ending {
  readonly redirectTo: string;
  readonly answer: AuthorizationAnswer;
}

export interface EndingDeps {
  clients: ClientService;
  issuer: CodeIssuer;
  publicUrl: string;
}

/**
 * For a ticket just redeemed: the code, made now from the frozen request. For one its person denied: `access_denied`,
 * in OAuth only; a WeChat site hears nothing of a denial (wire format 1.6), which is a `conflict` here.
 */
export async function endTicket(deps: EndingDeps, ticket: Ticket): Promise<Ending> {
  const client = await deps.clients.active(ticket.clientId);
  if (!client) throw new AppError('gone');
  if (ticket.status === 'redeemed' && ticket.subject && ticket.scannedBy) {
    const answer = await deps.issuer.issue(ticket.requestUid, ticket.subject, ticket.scannedBy.sessionId);
    return { answer, redirectTo: answerUrl(client.dialect, answer, deps.publicUrl) };
  }
  if (client.dialect === 'wechat') throw new AppError('conflict');
  const answer = await deps.issuer.refuse(ticket.requestUid);
  return { answer, redirectTo: answerUrl(client.dialect, answer, deps.publicUrl) };
}
