/** A token that a program calls the administration API with. */

export interface ApiToken {
  /** Not secret. */
  readonly id: string;
  readonly name: string;
  /** May look and not change. */
  readonly readOnly: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | undefined;
}
