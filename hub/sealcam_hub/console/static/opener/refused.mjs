// The one refusal (design/wire.md, section 1): whatever fails, the caller learns that it was refused, and no more.

const MESSAGE = "refused";

/** An envelope, statement, clip, grant or log that isn't what it should be. Always the same message. */
export class Refused extends Error {
  constructor() {
    super(MESSAGE);
    this.name = "Refused";
  }
}

/**
 * Refuse unless a condition holds.
 * @param {unknown} condition
 * @returns {asserts condition}
 */
export function must(condition) {
  if (!condition) throw new Refused();
}
