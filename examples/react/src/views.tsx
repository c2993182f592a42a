import { ProofkeyError } from 'proofkey-browser';
import { useEffect, useRef, type ReactNode } from 'react';
import { ApiError } from './api';

/** A page with its title. Keyboards and screen readers go on from there. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <article>
      <title>{`${title} · Sitebook`}</title>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </article>
  );
}

/** It is seen only if it takes a while, so nothing flickers. */
export function Loading() {
  return <p className="loading" role="status">One moment …</p>;
}

export function Problem({ error, again }: { error: unknown; again?: () => void }) {
  const { title, text } = inWords(error);
  return (
    <div className="problem" role="alert">
      <h2>{title}</h2>
      <p>{text}</p>
      {again && <button onClick={again}>Try again</button>}
    </div>
  );
}

/** What an error means for the user. */
export function inWords(error: unknown): { title: string; text: string } {
  // What fetch itself throws.
  if (error instanceof TypeError) return noAnswer();
  if (error instanceof ApiError) {
    return error.status === 403
      ? { title: 'You may not see this', text: 'Ask an administrator of your organization for access.' }
      : { title: 'The service does not work', text: 'It has a problem of its own. Try again later.' };
  }
  if (!(error instanceof ProofkeyError)) return broken(error);
  switch (error.code) {
    case 'network':
      return noAnswer();
    case 'popup_blocked':
      return { title: 'The window was blocked', text: 'Your browser does not open the sign-in window. Use “Sign in” instead.' };
    case 'popup_closed':
      return { title: 'The window was closed', text: 'The sign-in window was closed before you were signed in.' };
    case 'storage':
    case 'unsupported':
      return {
        title: 'Your browser does not allow it',
        text: isSecureContext
          ? 'A sign-in needs site data. Allow it for this site in the settings of your browser, then load the page again.'
          : 'A sign-in needs https. Open this page with https.',
      };
    case 'state':
      return { title: 'This was another sign-in', text: 'The answer belongs to a sign-in that this tab did not ask for. Nothing was sent.' };
    case 'init':
      return { title: 'The app is not complete', text: `A part of it could not be loaded. Load the page again. (${error.message})` };
  }
  if (error.serverCode === 'access_denied') {
    return { title: 'You did not allow it', text: 'Sitebook shows your iTwins only if you allow it on the sign-in page.' };
  }
  switch (error.advice) {
    case 'reauthorize':
      return { title: 'Please sign in again', text: `This sign-in cannot go on: ${error.message}.` };
    case 'fix':
      return broken(error);
    default:
      return { title: 'The sign-in service does not work', text: `It has a problem of its own. Try again in ${pause(error.retryAfter)}.` };
  }
}

function noAnswer() {
  return navigator.onLine
    ? { title: 'No answer', text: 'The server cannot be reached. Try again later.' }
    : { title: 'You are offline', text: 'Try again when you are connected.' };
}

function broken(error: unknown) {
  return { title: 'This does not work', text: `Something is set up wrongly. Tell those who run this app: “${error instanceof Error ? error.message : error}”` };
}

function pause(seconds = 60) {
  return seconds < 90 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
