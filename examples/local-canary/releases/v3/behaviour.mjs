let asked = 0

/** A release with a bug: the web service answers three requests in ten with an error. */
export const answers = (role) => (role === "web" && asked++ % 10 < 3 ? 500 : 200)
