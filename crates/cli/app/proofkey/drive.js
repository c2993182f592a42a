// Does what the machine in the WebAssembly module decides: `Pass` says what to do next, and is told what came of it.
import { ProofkeyError } from './error.js';
import { CLOSED, GRANTED, KEPT, UNSENT, plain, refresh, seconds } from './http.js';
import { now } from './session.js';
import { Pass } from './wasm/proofkey_browser.js';

/**
 * Gets tokens that can be used, for all tabs. If an API has `refused` some, gets others, or nothing if there are none to be had
 * now. `deadline` is the longest wait for an answer, in milliseconds.
 */
export async function drive(session, refused, deadline, connect, revoke) {
  // The other events of `src/pass.rs`. Constants of a function cost nothing once a bundler has minified it.
  const BEGIN = 0;
  const DONE = 1;
  const ROW = 2;
  const BUSY = 3;
  const FAILED = 15;

  // Its steps; the last of them are outcomes.
  const ADOPT = 1;
  const CLAIM = 2;
  const END = 3;
  const LOAD = 4;
  const RELEASE = 5;
  const REVOKE = 6;
  const SAVE = 7;
  const SEND = 8;
  const WAIT = 9;
  const PAUSE = 10;
  const USE = 11;
  const BRIDGE = 12;
  const FAIL = 13;
  const OCCUPIED = 14;
  const ENDED = 15;
  const GONE = 16;

  let held = session.tokens;
  let event = BEGIN;
  let row = [];
  let error;
  let release;
  const load = async () => {
    await session.catchUp();
    event = ROW;
  };
  const pass = new Pass(session.row(), held === refused, deadline, ...now());
  try {
    for (;;) {
      const told = pass.step(event, row, ...now());
      const step = told % 32;
      const value = Math.floor(told / 32);
      event = DONE;
      row = [];
      try {
        switch (step) {
          case ADOPT:
            held = session.tokens;
            break;
          case CLAIM:
            release ??= await session.claim(value);
            if (release) await load();
            else event = BUSY;
            break;
          case LOAD:
            await load();
            break;
          case END:
          case SAVE:
            held = { ...held, generation: value };
            if (step === END) Object.assign(held, { refreshToken: undefined, ended: parts(error) });
            await session.save(held);
            event = ROW;
            break;
          case REVOKE:
            revoke(held).catch(() => {});
            break;
          case SEND:
            ({ event, held, error } = await send(session, held, value, connect));
            if (event === GRANTED || event === KEPT) row = session.row(held);
            break;
          case RELEASE:
          case PAUSE:
            session.tell(held, {
              sent: step === PAUSE ? session.note.sent : 0,
              until: Date.now() + 1000 * value,
              error: error ? parts(error) : session.note.error,
            });
            break;
          case WAIT:
            release?.();
            release = undefined;
            await new Promise((resolve) => { setTimeout(resolve, value); });
            break;
          case USE:
            return held;
          case BRIDGE:
            session.quiet = Date.now() + 1000 * value;
            return held;
          case FAIL:
            throw error ?? failure(session.note.error ?? [], value || undefined);
          case OCCUPIED:
            throw new ProofkeyError('deadline', 'another tab does not end its refresh', 'retry');
          case ENDED:
            session.end(held.id);
            throw error ?? (held.ended ? failure(held.ended) : signedOut('the access token has expired, and there is no refresh token'));
          case GONE:
            throw signedOut('no one is signed in');
          default:
            return undefined;
        }
      } catch (fault) {
        if (step > PAUSE) throw fault;
        error = fault;
        event = FAILED;
      }
      if (event === ROW) row = session.row();
    }
  } finally {
    release?.();
    pass.free();
  }
}

/** Sends the refresh token of the `held` tokens, and returns what that says to the machine. */
async function send(session, held, deadline, connect) {
  try {
    const { client, proofs } = await connect();
    const isOffline = navigator.onLine === false;
    // If this page closes now, the others know that the refresh token may be spent.
    session.tell(held, { sent: Date.now() });
    const requestedAt = seconds();
    const { event, refreshToken, tokens, error } = await refresh(client.refresh(held.refreshToken), deadline, proofs);
    if (event === CLOSED && isOffline) return { event: UNSENT, held, error };
    const got = tokens ? plain(tokens, requestedAt, held) : refreshToken && { refreshToken };
    return { event, held: got ? { ...held, ...got, generation: held.generation + 1 } : held, error };
  } catch (error) {
    return { event: UNSENT, held, error };
  }
}

export function signedOut(why) {
  return new ProofkeyError('signed_out', why, 'reauthorize');
}

/** An error as the tabs share it. */
function parts({ code, message, advice, retryAfter, serverCode }) {
  return [code, message, advice, retryAfter, serverCode];
}

function failure([code, message, advice, after, serverCode], retryAfter = after) {
  return new ProofkeyError(code, message, advice, retryAfter, serverCode);
}
