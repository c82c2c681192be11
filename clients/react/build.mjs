// Builds the package into dist/. Build ../web first.
import { fileURLToPath } from 'node:url';
import { buildComponent } from '../build-component.mjs';

// For frameworks that render on a server first: this part lives in the browser.
const banner = { js: "'use client';" };
await buildComponent(fileURLToPath(new URL('.', import.meta.url)), 'src/react.ts', { banner });
