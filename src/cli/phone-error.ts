/** Why the phone command did not work: printed as `{error, error_description}`. */
export class PhoneError extends Error {
  override readonly name = 'PhoneError';

  constructor(
    /** The server's own code, or one of ours: network, usage, invalid_qr_url, no_qr_code, match_code_missing. */
    readonly code: string,
    description: string,
    cause?: unknown,
  ) {
    super(description, cause === undefined ? undefined : { cause });
  }
}
