// Listens for changes and says whether it still can. Nothing is polled, and a hidden tab holds no connection: browsers
// allow few to one host, and a console that hung because of its own open tabs would be a poor watchman.

const AGAIN_MS = 3000;

export function listen({ onChange, onState }) {
  let stream = null;
  let again = null;

  const close = () => {
    clearTimeout(again);
    stream?.close();
    stream = null;
  };

  const open = () => {
    close();
    stream = new EventSource("/live");
    stream.addEventListener("version", (event) => {
      if (event.data !== document.documentElement.dataset.version) {
        close(); // what a newer hub sends fits this page no more
        return onState("old");
      }
      onState("live");
      onChange("everything"); // whatever happened while nobody listened
    });
    stream.addEventListener("changed", (event) => onChange(event.data));
    stream.onerror = () => {
      onState("lost");
      if (stream?.readyState === EventSource.CLOSED) refused();
    };
  };

  // The hub answered, but not with a stream: is it the session, or only the moment?
  const refused = async () => {
    close();
    const answer = await fetch("/fragment/notices").catch(() => null);
    if (answer?.status === 403) onState("closed");
    else again = setTimeout(open, AGAIN_MS);
  };

  const follow = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && follow());
  follow();
}
