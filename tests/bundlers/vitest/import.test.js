import { expect, test } from 'vitest';
import { Proofkey, ProofkeyError } from 'proofkey-browser';

test('without a browser it can be imported and made, and says so when it is used', async () => {
  const app = new Proofkey({ issuer: 'https://as.example', clientId: 'app', redirectUri: 'https://app.example/callback' });
  expect([app.signedIn, app.state]).toEqual([false, 'loading']);
  for (const work of ['handleRedirect', 'signIn', 'signInPopup', 'accessToken', 'signOut']) {
    const error = await app[work]().catch((problem) => problem);
    expect(error).toBeInstanceOf(ProofkeyError);
    expect(error.code).toBe('unsupported');
  }
  app.close();
});
