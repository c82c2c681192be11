// CLIENT_ID=qc… CLIENT_SECRET=… node examples/vue/server.mjs
import { fileURLToPath } from 'node:url';
import { runExample } from '../single-page/site.mjs';

await runExample(fileURLToPath(new URL('app.mjs', import.meta.url)), 8082);
