/** What other sites load from here: the build this node runs, those that ran before, and what is said of them. */
import { AppError } from '../error.js';
import { addressOf, type BuildFile, integrityOf, isBuildFile, type WidgetBuild } from './widget-build.js';
import type { KeptBuild, WidgetStore } from './widget-store.js';

export interface PinnedFile {
  readonly url: string;
  readonly integrity: string;
}

/** What `/widget.json` says, and what its signature signs. */
export interface WidgetManifest extends PinnedFile {
  readonly version: string;
  readonly build: string;
  /** The ES module. */
  readonly module: PinnedFile;
  /** WeChat's function. */
  readonly wxLogin: PinnedFile;
}

export interface WidgetServiceDeps {
  store: WidgetStore;
  /** What this program hands out as /widget.js. */
  build: WidgetBuild;
  publicUrl: string;
  sign: (statement: Record<string, unknown>) => Promise<string>;
  audit: (actor: string, action: string, target: string) => Promise<void>;
}

/** Milliseconds a signature is given out again; the key set is kept far longer. */
const SIGNATURE_MS = 60_000;

export class WidgetService {
  readonly manifest: WidgetManifest;
  readonly #deps: WidgetServiceDeps;
  #signed: { at: number; signature: Promise<string> } | undefined;

  constructor(deps: WidgetServiceDeps) {
    const { build, publicUrl } = deps;
    const pinned = (file: BuildFile): PinnedFile => ({
      url: publicUrl + addressOf(build, file),
      integrity: integrityOf(build.files[file]),
    });
    this.#deps = deps;
    this.manifest = {
      version: build.version,
      build: build.name,
      ...pinned('widget.js'),
      module: pinned('qrconnect.js'),
      wxLogin: pinned('wxLogin.js'),
    };
  }

  /** What a site puts into its page. */
  get snippet(): string {
    const { url, integrity } = this.manifest;
    return `<script src="${url}" integrity="${integrity}" crossorigin="anonymous" async></script>`;
  }

  /** So that what is pinned today is still there when another build runs. */
  keep(): Promise<void> {
    return this.#deps.store.keep(this.#deps.build);
  }

  /** The bytes under a pinned address. Throws `not_found` for what never was, `gone` for what was withdrawn. */
  async file(name: string, file: string): Promise<Buffer> {
    const { build, store } = this.#deps;
    if (!isBuildFile(name, file)) throw new AppError('not_found');
    // What runs here is never withdrawn: it is /widget.js as well.
    if (name === build.name) return build.files[file];
    const kept = await store.find(name, file);
    if (!kept) throw new AppError('not_found');
    if (kept.withdrawn)
      throw new AppError('gone', { message: 'This build was withdrawn; /widget.json names another.' });
    return kept.body;
  }

  /** The manifest as a JWS by the key that signs now. */
  signature(): Promise<string> {
    const now = Date.now();
    if (this.#signed && now - this.#signed.at < SIGNATURE_MS) return this.#signed.signature;
    const signature = this.#deps.sign({ ...this.manifest, iss: this.#deps.publicUrl });
    this.#signed = { at: now, signature };
    signature.catch(() => {
      this.#signed = undefined;
    });
    return signature;
  }

  async list(): Promise<Array<KeptBuild & { readonly current: boolean }>> {
    const kept = await this.#deps.store.list();
    return kept.map((build) => ({ ...build, current: build.name === this.#deps.build.name }));
  }

  /** Its addresses answer 410 from now on; what browsers hold already stays with them. */
  async withdraw(actor: string, name: string): Promise<void> {
    if (name === this.#deps.build.name) {
      throw new AppError('conflict', { message: `${name} is what this version serves; install another one first` });
    }
    await this.#turn(actor, 'widget.withdraw', name, (store) => store.withdraw(name));
  }

  async restore(actor: string, name: string): Promise<void> {
    await this.#turn(actor, 'widget.restore', name, (store) => store.restore(name));
  }

  async #turn(actor: string, action: string, name: string, change: (store: WidgetStore) => Promise<boolean>) {
    const { store, audit } = this.#deps;
    if (await change(store)) return audit(actor, action, name);
    const isKnown = (await store.list()).some((build) => build.name === name);
    if (!isKnown) throw new AppError('not_found', { message: `no build is called "${name}"` });
  }
}
