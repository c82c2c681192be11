/** The authorization device's sign-in here. */
export interface PhoneSession {
  /** Not secret: tickets and lists name it. The cookie holds another value, of which only the hash is stored. */
  readonly id: string;
  readonly accountId: string;
  readonly authTime: Date;
  /** Authentication method references (RFC 8176), such as `pwd`. */
  readonly amr: readonly string[];
}

/** Days. Section "Fixed numbers" of docs/security.md. */
export const SESSION_DAYS = { idle: 14, absolute: 30 } as const;
