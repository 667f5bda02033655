declare global {
  // core compiles without the types of any platform; on each of them this is the platform's own.
  interface AbortSignal {
    readonly aborted: boolean
  }
}

/** Tells that a call is no longer wanted: the platform's `AbortSignal`. */
export type Abort = AbortSignal
