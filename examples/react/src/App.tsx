import { Suspense, use, useRef } from 'react';
import { Link, NavLink, Navigate, Outlet, Route, Routes, useLocation } from 'react-router';
import { app, arrived, signIn, useAttempt, useAuth } from './auth';
import { Account, Home, ITwins } from './pages';
import { Loading, Page, Problem } from './views';

export function App() {
  const main = useRef<HTMLElement>(null);
  const skip = (event: React.MouseEvent) => {
    event.preventDefault();
    main.current?.querySelector('h1')?.focus();
  };
  return (
    <>
      <a className="skip" href="#main" onClick={skip}>Skip to the content</a>
      <Header />
      <main id="main" ref={main}>
        <Suspense fallback={<Loading />}>
          <Routes>
            <Route index element={<Home />} />
            <Route path="callback" element={<Callback />} />
            <Route element={<SignedIn />}>
              <Route path="itwins" element={<ITwins />} />
              <Route path="account" element={<Account />} />
            </Route>
            <Route path="*" element={<Page title="There is no such page"><p><Link to="/">To the start</Link></p></Page>} />
          </Routes>
        </Suspense>
      </main>
    </>
  );
}

function Header() {
  const { state } = useAuth();
  const { error, attempt } = useAttempt();
  return (
    <header>
      <Link className="brand" to="/"><img src="/icon.svg" alt="" width="28" height="28" /><span>Sitebook</span></Link>
      <nav aria-label="Main">
        <NavLink to="/itwins">iTwins</NavLink>
        <NavLink to="/account">Account</NavLink>
      </nav>
      {state === 'signed_in' && <button onClick={() => attempt('', () => app.signOut())}>Sign out</button>}
      <p className="hidden" role="status">{STATES[state]}</p>
      {error && state === 'signed_out' ? <p className="notice" role="alert">You are signed out here. The server could not be told.</p> : null}
    </header>
  );
}

const STATES = { loading: '', signed_in: 'You are signed in.', signed_out: 'You are signed out.' };

/** The pages in it are shown to those who are signed in. Others can sign in, and are then back where they were. */
function SignedIn() {
  const { state, session } = useAuth();
  if (state === 'loading') return <Loading />;
  return state === 'signed_in' ? <Outlet key={session} /> : <SignIn />;
}

function SignIn() {
  const { pathname, search, hash } = useLocation();
  return (
    <Page title="Please sign in">
      <p>This page is yours alone. After the sign-in you are back here.</p>
      <SignInButtons place={pathname + search + hash} />
    </Page>
  );
}

function SignInButtons({ place, error: before }: { place: string; error?: unknown }) {
  const { doing, error = doing ? undefined : before, attempt } = useAttempt();
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <div className="buttons">
        <button className="primary" onClick={() => attempt('Going to the sign-in page …', () => signIn(place))}>
          {before ? 'Try again' : 'Sign in'}
        </button>
        <button onClick={() => attempt('Waiting for the sign-in window …', () => app.signInPopup())}>Sign in in a window</button>
      </div>
      <p className="soft" role="status">{doing}</p>
    </>
  );
}

/** The redirect URI. It is left at once, unless the sign-in failed. */
function Callback() {
  const { place, error } = use(arrived);
  const { state } = useAuth();
  if (!error || state === 'signed_in') return <Navigate to={place} replace />;
  return (
    <Page title="You are not signed in">
      <SignInButtons place={place} error={error} />
      <p><Link to={place} replace>Back to where you were</Link></p>
    </Page>
  );
}
