// Puts newer HTML in the place of older, keeping what hasn't changed: nodes, pictures, focus and scroll position.

const written = new WeakMap(); // node -> the HTML it came as, before times were made local

export function remember(root) {
  for (const node of root.querySelectorAll("[data-key]")) written.set(node, node.outerHTML);
}

// The node to show for `fresh`: the old one where the server wrote the same, else the new one with its old pictures.
export function settle(old, fresh) {
  if (old && written.get(old) === fresh.outerHTML) return old;
  written.set(fresh, fresh.outerHTML);
  const node = document.adoptNode(fresh);
  if (!old) return node;
  for (const picture of node.querySelectorAll("img")) {
    const same = [...old.querySelectorAll("img")].find((one) => one.getAttribute("src") === picture.getAttribute("src"));
    if (same) picture.replaceWith(same);
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  // What runs in the old one goes on in the new one: a video that is back within the task doesn't pause.
  for (const running of old.querySelectorAll("[data-stays]")) {
    node.querySelector(`[data-place="${running.dataset.place}"]`)?.replaceWith(running);
  }
  old.replaceWith(node);
  if (focused) node.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return node;
}

// Makes `nodes` the children of `parent` in this order, moving only what stands elsewhere (moving loses the focus).
export function arrange(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

// A region whose children each carry a key or stay as they are.
export function swapPlain(region, fresh) {
  const old = new Map([...region.querySelectorAll("[data-key]")].map((node) => [node.dataset.key, node]));
  const open = [...region.querySelectorAll("details")].map((node) => node.open);
  arrange(
    region,
    [...fresh.children].map((child) =>
      child.dataset.key ? settle(old.get(child.dataset.key), child) : document.adoptNode(child),
    ),
  );
  region.querySelectorAll("details").forEach((node, index) => (node.open = open[index] ?? false));
}
