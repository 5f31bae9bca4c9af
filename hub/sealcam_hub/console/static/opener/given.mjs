// What the page is given beside what is chosen in its form, and how its worker starts. A page that was saved as one file,
// with clip and grant in it, has another module in this one's place (`sealcam_hub/share_page.py`).

export const start = () => new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });

/** @type {{clip?: Blob, bundle?: Blob}} */
export const given = {};
