declare const SIGNALBOX_VERSION: string | undefined

/** Put in by the bundler; sources that are run as they are have none. */
export const version = typeof SIGNALBOX_VERSION === "string" ? SIGNALBOX_VERSION : "0.0.0-source"
