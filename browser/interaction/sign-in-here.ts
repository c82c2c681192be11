// Signing in without a phone: as the person this browser knows already, or with a password; and "cancel".
import { whenLookedAt } from '../phone/guard.js';
import { runCredentialsForm } from '../shared/credentials-form.js';
import { optionalPart, part } from '../shared/dom.js';
import type { Answer } from '../shared/http.js';
import { type Texts, textOf } from '../shared/page-data.js';
import { answerRequest, problemOf, redirectOf, type Step } from './answer.js';

export interface Door {
  leave(url: string): void;
  /** Whether the page is on its way to the site for another reason. */
  isLeaving(): boolean;
}

export class SignInHere {
  private readonly form = part<HTMLFormElement>('form');
  private readonly username = part<HTMLInputElement>('username');
  private readonly usernameField = part('username-field');
  private readonly password = part<HTMLInputElement>('password');
  private readonly remember = part<HTMLInputElement>('remember');
  private readonly problem = part('problem');
  /** Only where this browser knows somebody. */
  private readonly fixed = optionalPart('fixed');
  private readonly continueBox = optionalPart('continue-box');
  private readonly another = optionalPart<HTMLButtonElement>('another');

  constructor(
    private readonly uid: string,
    private readonly texts: Texts,
    private readonly door: Door,
  ) {}

  start(): void {
    this.runForm();
    this.another?.addEventListener('click', () => this.askWho());
    this.onPress('cancel', part('cancel-problem'));
    if (!this.continueBox) return;
    const press = this.onPress('continue', part('continue-problem'), (answer) => this.ask(answer));
    // Nobody's second click on a page that stood here before may sign anybody in (T17).
    whenLookedAt(press.wake);
  }

  private runForm(): void {
    const text = (key: string) => textOf(this.texts, key);
    runCredentialsForm({
      idleText: text('signIn.submit'),
      workingText: text('signIn.working'),
      takesFocus: false,
      check: (username, password) => {
        if (username.trim() && password) return null;
        return text(this.isFixed() ? 'interaction.fillPassword' : 'signIn.fillBoth');
      },
      send: (username, password) =>
        answerRequest(this.uid, 'sign-in', { username, password, remember: this.remember.checked }),
      onAnswer: (answer) => {
        const url = redirectOf(answer);
        if (url !== null) this.door.leave(url);
        if (url !== null || this.door.isLeaving()) return null;
        if (answer.status === 401) return text(this.isFixed() ? 'interaction.wrongPassword' : 'signIn.wrong');
        return problemOf(this.texts, answer);
      },
    });
  }

  /** One press, one call. `instead` may take a refusal over, by returning true. */
  private onPress(step: Step, problem: HTMLElement, instead?: (answer: Answer) => boolean) {
    const button = part<HTMLButtonElement>(step);
    let awake = true;
    let busy = false;
    const refresh = () => {
      button.disabled = busy || !awake;
    };
    button.addEventListener('click', async () => {
      if (button.disabled) return;
      busy = true;
      refresh();
      problem.textContent = '';
      const answer = await answerRequest(this.uid, step);
      const url = redirectOf(answer);
      if (url !== null) return this.door.leave(url);
      if (this.door.isLeaving()) return;
      busy = false;
      refresh();
      if (instead?.(answer)) return;
      problem.textContent = problemOf(this.texts, answer);
      button.focus();
    });
    return {
      wake(now: boolean): void {
        awake = now;
        refresh();
      },
    };
  }

  /** "Continue" was not enough: the password is. */
  private ask({ status, body }: Answer): boolean {
    if (status === 403 && body.error === 'step_up_required') {
      this.showForm();
      this.password.focus();
      return true;
    }
    if (status !== 401) return false;
    this.showForm();
    this.unfix();
    this.problem.textContent = textOf(this.texts, 'interaction.signedOut');
    this.password.focus();
    return true;
  }

  private askWho(): void {
    this.showForm();
    this.unfix();
    this.username.value = '';
    this.password.value = '';
    this.problem.textContent = '';
    if (this.another) this.another.hidden = true;
    this.username.focus();
  }

  private showForm(): void {
    if (this.continueBox) this.continueBox.hidden = true;
    this.form.hidden = false;
  }

  private isFixed(): boolean {
    return this.usernameField.hidden === true;
  }

  private unfix(): void {
    if (this.fixed) this.fixed.hidden = true;
    this.usernameField.hidden = false;
  }
}
