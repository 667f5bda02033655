/**
 * The Node runtime of Signalbox.
 *
 * @since 0.1.0
 */
export * from "./config/index.ts"
