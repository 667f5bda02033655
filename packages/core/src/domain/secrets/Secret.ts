/**
 * Recognises secrets by their names, so that none is stored or shown.
 */
const words = /(secret|token|password|passwd|passphrase|apikey|accesskey|privatekey|credential)s?$/

/**
 * Whether a key names a secret: `password`, `DB_PASSWORD`, `apiKey`, `github-token`. Related keys, such as
 * `tokenEndpoint`, do not count.
 */
export const namesSecret = (key: string): boolean => words.test(key.toLowerCase().replaceAll(/[^a-z]/g, ""))

/**
 * Whether a text is a URL with a password.
 */
export const holdsPassword = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*:[^/?#\s@]+@/i.test(text)
