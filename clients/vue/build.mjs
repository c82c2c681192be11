// Builds the package into dist/. Build ../web first.
import { fileURLToPath } from 'node:url';
import { buildComponent } from '../build-component.mjs';

await buildComponent(fileURLToPath(new URL('.', import.meta.url)), 'src/vue.ts');
