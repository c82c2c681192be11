// Entry of the waiting page: takes the page data and starts the session.
import { takePageData } from '../shared/page-data.js';
import type { WaitingData } from './page-data.js';
import { isFramed } from './parent.js';
import { Session } from './session.js';

const data = takePageData<WaitingData>();
// Older browsers do not tell the server that they load a frame.
if (isFramed) document.body.classList.replace('full', 'framed');
new Session(data).start();
