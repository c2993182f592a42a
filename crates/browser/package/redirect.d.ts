/** Hands the redirect of a sign-in window or frame over when it is imported. */
export {};
