/** Which passwords are refused when one is chosen. Length over composition rules (NIST SP 800-63B 3.1.1.2). */

const TRIED_FIRST = /password|qrconnect|changeme|change-me|123456|qwerty|letmein|example|secret/i;

/** Why this password is too weak for an administrator, or undefined. */
export function weakPasswordReason(password: string, username: string): string | undefined {
  if (password.length < 12) return 'is too weak: use at least 12 characters';
  if (password.length > 256) return 'is too long: use at most 256 characters';
  if (password.toLowerCase().includes(username.toLowerCase())) return 'is too weak: it contains the user name';
  if (new Set(password).size < 5) return 'is too weak: it repeats a few characters';
  if (TRIED_FIRST.test(password)) return 'is too weak: it holds a word that is tried first';
  return undefined;
}
