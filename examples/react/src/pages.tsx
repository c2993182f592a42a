import { useEffect, useRef } from 'react';
import { Link, useLocation, useSearchParams } from 'react-router';
import { ITWINS, ME, useApi, type ITwin, type User } from './api';
import { Loading, Page, Problem } from './views';

export function Home() {
  return (
    <Page title="Your sites in one place">
      <p className="lead">Sitebook shows the digital twins of your sites.</p>
      <p><Link className="button primary" to="/itwins">Show my iTwins</Link></p>
    </Page>
  );
}

export function ITwins() {
  const { data, error, again } = useApi<{ iTwins: ITwin[] }>(ITWINS);
  const [parameters, setParameters] = useSearchParams();
  const filter = parameters.get('q') ?? '';
  const shown = data?.iTwins.filter(({ displayName }) => displayName.toLowerCase().includes(filter.toLowerCase()));
  return (
    <Page title="My iTwins">
      <search>
        <label htmlFor="filter">Filter by name</label>
        <input
          id="filter" type="search" autoComplete="off" value={filter}
          onChange={({ target: { value } }) => setParameters(value ? { q: value } : {}, { replace: true })}
        />
      </search>
      {error ? <Problem error={error} again={again} /> : null}
      {!data && !error ? <Loading /> : null}
      {shown && (
        <>
          <p className="soft" role="status">{shown.length === 1 ? '1 iTwin' : `${shown.length} iTwins`}</p>
          <ul className="cards">{shown.map((itwin) => <Card key={itwin.id} {...itwin} />)}</ul>
        </>
      )}
    </Page>
  );
}

/** An iTwin. The address's fragment picks one. */
function Card({ id, displayName, status }: ITwin) {
  const { search, hash } = useLocation();
  const isPicked = hash === `#${id}`;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isPicked) item.current?.scrollIntoView({ block: 'nearest' });
  }, [isPicked]);
  return (
    <li ref={item}>
      <Link to={{ search, hash: id }} aria-current={isPicked ? 'true' : undefined}>
        <span>{displayName}</span>
        <span className="tag">{status}</span>
      </Link>
    </li>
  );
}

export function Account() {
  const { data, error, again } = useApi<{ user: User }>(ME);
  return (
    <Page title="My account">
      {error ? <Problem error={error} again={again} /> : null}
      {!data && !error ? <Loading /> : null}
      {data && (
        <dl>
          <dt>Name</dt><dd>{data.user.displayName}</dd>
          <dt>Email</dt><dd>{data.user.email}</dd>
        </dl>
      )}
    </Page>
  );
}
