import { useEffect, useState } from 'react';
import { app } from './auth';

export interface User { id: string; displayName: string; email: string }
export interface ITwin { id: string; displayName: string; status: string }

/** The iTwin platform has them at `/users/me` and `/itwins`. */
export const ME = '/me';
export const ITWINS = '/itwins';

/** The API answered, but not with what was asked for. */
export class ApiError extends Error {
  constructor(readonly status: number) {
    super(`the API answered with ${status}`);
  }
}

async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await app.fetch(import.meta.env.VITE_API + path, {
    headers: { accept: 'application/vnd.bentley.itwin-platform.v1+json' },
    signal,
  });
  if (!response.ok) throw new ApiError(response.status);
  return response.json();
}

/** What the API has there; `again` asks once more. */
export function useApi<T>(path: string) {
  const [result, setResult] = useState<{ data?: T; error?: unknown }>({});
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    const show = (found: { data?: T; error?: unknown }) => { if (!controller.signal.aborted) setResult(found); };
    get<T>(path, controller.signal).then((data) => show({ data }), (error: unknown) => show({ error }));
    return () => controller.abort();
  }, [path, tries]);
  const again = () => {
    setResult({});
    setTries(tries + 1);
  };
  return { ...result, again };
}
