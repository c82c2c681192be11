// Entry of /widget.js, a classic script that also loads as a module: it defines <qr-connect>, and that is all.
import { defineQrConnect } from './define.js';

defineQrConnect();
