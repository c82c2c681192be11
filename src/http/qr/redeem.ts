/** How a ticket ends: an address that carries the code or the refusal to the site, or back to the engine in the browser. */
import type { ClientService } from '../../client/client-service.js';
import { ACR } from '../../engine/browser-sign-in.js';
import type { AuthorizationAnswer, CodeIssuer } from '../../engine/code-issuer.js';
import { remember } from '../../engine/request-scope.js';
import type { SignInAnswers } from '../../engine/sign-in-answers.js';
import { AppError } from '../../error.js';
import type { Ticket } from '../../ticket/ticket.js';
import { answerUrl } from '../connect/answer-url.js';

export interface Ending {
  readonly redirectTo: string;
  /** Absent at the standard door: there the engine answers, in the browser that asked. */
  readonly answer?: AuthorizationAnswer;
}

export interface EndingDeps {
  clients: ClientService;
  issuer: CodeIssuer;
  answers: SignInAnswers;
  publicUrl: string;
}

/**
 * For a ticket just redeemed: the code, made now from the frozen request. For one its person denied: `access_denied`,
 * in OAuth only; a WeChat site hears nothing of a denial (wire format 1.6), which is a `conflict` here.
 */
export async function endTicket(deps: EndingDeps, ticket: Ticket): Promise<Ending> {
  const client = await deps.clients.active(ticket.clientId);
  if (!client) throw new AppError('gone');
  remember('Client', client.id, client);
  const { subject, scannedBy } = ticket;
  const allowed = ticket.status === 'redeemed' && subject && scannedBy;
  if (ticket.door === 'authorize') {
    if (!allowed) return { redirectTo: await deps.answers.refused(ticket.requestUid) };
    const { accountId, authTime, amr, remember = false } = subject;
    const signIn = {
      accountId,
      ts: authTime,
      amr: [...amr],
      acr: ACR.phone,
      remember,
      phoneSessionId: scannedBy.sessionId,
    };
    return { redirectTo: await deps.answers.signedIn(ticket.requestUid, signIn, { allowed: true }) };
  }
  if (allowed) {
    const answer = await deps.issuer.issue(ticket.requestUid, subject, scannedBy.sessionId);
    return { answer, redirectTo: answerUrl(client.dialect, answer, deps.publicUrl) };
  }
  if (client.dialect === 'wechat') throw new AppError('conflict');
  const answer = await deps.issuer.refuse(ticket.requestUid);
  return { answer, redirectTo: answerUrl(client.dialect, answer, deps.publicUrl) };
}
