import { Proofkey, ProofkeyError } from 'proofkey-browser';
import { useState, useSyncExternalStore } from 'react';

const { VITE_ISSUER: issuer, VITE_CLIENT_ID: clientId, VITE_SCOPE: scope, VITE_API: api } = import.meta.env;

/** The one client of this page. Import it before anything else: it takes the code out of the address bar. */
export const app = new Proofkey({
  issuer,
  clientId,
  scope,
  redirectUri: `${location.origin}/callback`,
  origins: [new URL(api).origin],
});

/** Once a sign-in has brought the user back: the place to go on from, and why it failed if it did. */
export const arrived: Promise<{ place: string; error?: unknown }> = app.handleRedirect().then(
  (back) => ({ place: placeOf(back?.data) }),
  (error: unknown) => ({ place: placeOf(error instanceof ProofkeyError ? error.data : undefined), error }),
);

export function signIn(place: string) {
  return app.signIn({ data: { place } });
}

function placeOf(data: unknown) {
  const { place } = { place: '/', ...(data as object | null) };
  return typeof place === 'string' && place.startsWith('/') ? place : '/';
}

/** `session` is another number for each session, so that nothing of one user is shown to the next. */
let auth = { state: app.state, session: 0 };
app.addEventListener('change', () => {
  auth = { state: app.state, session: auth.session + 1 };
});

export function useAuth() {
  return useSyncExternalStore(subscribe, () => auth);
}

function subscribe(changed: () => void) {
  app.addEventListener('change', changed);
  return () => app.removeEventListener('change', changed);
}

/** Does something that a user asked for. The newest attempt counts: `doing` says what goes on, and `error` why it failed. */
export function useAttempt() {
  const [{ doing, error }, set] = useState<{ doing?: string; error?: unknown }>({});
  async function attempt(what: string, work: () => Promise<unknown>) {
    const mine = { doing: what };
    set(mine);
    const end = (then: { error?: unknown }) => set((now) => (now === mine ? then : now));
    try {
      await work();
      end({});
    } catch (failed) {
      // The user came back from the sign-in page, and knows it.
      end(failed instanceof ProofkeyError && failed.code === 'aborted' ? {} : { error: failed });
    }
  }
  return { doing, error, attempt };
}
