import { Proofkey } from 'proofkey-browser/inline';
import { start } from './app.js';

start(Proofkey, { worker: '/worker.js' });
