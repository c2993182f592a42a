// A shared worker that takes part in the session of its name, see session.js: it has the tokens in memory, gives them to pages
// that ask, and forgets them with the session. It never uses them. A classic script, which every bundler can copy as it is.
/** How long it stays after the last page, in milliseconds. */
const STAY = 10_000;

const channel = new BroadcastChannel(name);
const ended = new Set();
let kept = {};
let note;
let release = () => {};
let pages = 0;
let timer;

channel.onmessage = ({ data }) => {
  const { tokens, version, ended: id } = data;
  if (data.ask && kept.tokens) channel.postMessage({ ...kept, note });
  if (tokens && version > (kept.version ?? '') && !ended.has(tokens.id)) take({ tokens, version });
  if (data.note && !(data.note.at < note?.at)) ({ note } = data);
  if (id) {
    ended.add(id);
    if (kept.tokens?.id === id) take({});
  }
};
channel.postMessage({ ask: true });

/** A page has come, and says which lock it holds. */
onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    pages += 1;
    clearTimeout(timer);
    navigator.locks.request(data, () => {
      pages -= 1;
      if (!pages) timer = setTimeout(close, STAY);
    });
  };
};

/** The lock with the version of the tokens tells the pages that there are some. */
function take(what) {
  const before = release;
  kept = what;
  if (!what.tokens) {
    before();
    return;
  }
  const over = new Promise((resolve) => { release = resolve; });
  navigator.locks.request(`${name} ${what.version}`, { mode: 'shared' }, () => {
    before();
    return over;
  });
}
