// Shows what the hub tells this browser, opened by the browser with its own key. It asks the hub for nothing, keeps
// nothing, and stands between no page and the hub.

const PLAIN = { words: "Something happened", tag: "many", path: "/", loud: true };

function read(data) {
  try {
    return { ...PLAIN, ...data.json() };
  } catch {
    return PLAIN; // a browser must show something for each message
  }
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const told = read(event.data);
  const { words: body, tag, path, loud } = told;
  event.waitUntil(
    self.registration.showNotification("Sealcam", {
      body,
      tag,
      renotify: loud,
      silent: !loud,
      data: { path },
      icon: "/static/push/icon-192.png",
      badge: "/static/push/icon-192.png",
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const there = new URL(event.notification.data?.path ?? "/", self.location.origin);
  const to = there.origin === self.location.origin ? there.href : self.location.origin;
  event.waitUntil(self.clients.openWindow(to));
});
