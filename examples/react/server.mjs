// CLIENT_ID=qc… CLIENT_SECRET=… node examples/react/server.mjs
import { fileURLToPath } from 'node:url';
import { runExample } from '../single-page/site.mjs';

await runExample(fileURLToPath(new URL('app.jsx', import.meta.url)), 8081);
