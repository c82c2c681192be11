/** Keys at rest: sealed with a secret that only the environment holds, so that a copy of the database forges nothing (T70). */
import { hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { ConfigError } from '../config.js';

export type Material = Readonly<Record<string, unknown>>;

export interface Seal {
  /** What to store of this row; the material itself without a secret. */
  close(row: string, material: Material): Promise<Material>;
  /** Throws ConfigError when it was sealed with another secret, or with one and there is none here. */
  open(row: string, stored: Material): Promise<Material>;
  /** Whether a row that lies so should lie otherwise. */
  wants(sealed: boolean): boolean;
}

export function isSealed(stored: Material): boolean {
  return typeof stored.sealed === 'string';
}

/** AES-256-GCM. Each sealed text names its row, so that none can be put in another's place. */
export function createSeal(secret: string | undefined): Seal {
  const key = secret === undefined ? undefined : new Uint8Array(hkdfSync('sha256', secret, 'qrconnect', 'keys', 32));
  return {
    wants: (sealed) => key !== undefined && !sealed,
    async close(row, material) {
      if (!key) return material;
      const sealed = await new CompactEncrypt(Buffer.from(JSON.stringify(material)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', row })
        .encrypt(key);
      return { sealed };
    },
    async open(row, stored) {
      if (!isSealed(stored)) return stored;
      if (!key) {
        throw new ConfigError(['KEYS_SECRET: the keys in the database are sealed; set the one they were sealed with']);
      }
      const opened = await compactDecrypt(String(stored.sealed), key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      }).catch(() => undefined);
      if (!opened) {
        throw new ConfigError([
          'KEYS_SECRET: the keys in the database are sealed with another one; set the one they were sealed with',
        ]);
      }
      if (opened.protectedHeader.row !== row)
        throw new Error(`the server key ${row} holds what was sealed for another`);
      return JSON.parse(Buffer.from(opened.plaintext).toString()) as Material;
    },
  };
}
