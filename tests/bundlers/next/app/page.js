'use client';
import { useEffect, useRef } from 'react';
import { Proofkey } from 'proofkey-browser';
import { start } from '../../app/app.js';

// The build renders this page, too, and has no window: it does nothing there.
const early = typeof window === 'undefined'
  && new Proofkey({ issuer: 'https://as.example', clientId: 'app', redirectUri: 'https://app.example/callback' });

export default function Page() {
  const root = useRef(null);
  useEffect(() => { start(Proofkey, {}, root.current); }, []);
  return <main ref={root} data-early={early.signedIn} suppressHydrationWarning />;
}
