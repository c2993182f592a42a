import { Proofkey } from 'proofkey-browser';
import { start } from './app.js';

start(Proofkey);
