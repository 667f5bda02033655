declare const SIGNALBOX_VERSION: string | undefined

/** Inserted by the bundler; missing when the sources run directly. */
export const version = typeof SIGNALBOX_VERSION === "string" ? SIGNALBOX_VERSION : "0.0.0-source"
