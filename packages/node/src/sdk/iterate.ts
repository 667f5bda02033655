import type * as Context from "effect/Context"
import * as Stream from "effect/Stream"
import { interrupted, toSignalboxError } from "./toSignalboxError.ts"

/** Iterators that are still being read, by what ends them. */
export type Open = Set<() => Promise<unknown>>

/**
 * A stream as an async iterable. It reads on demand, and releases its resources when it ends, when the loop is left,
 * when the signal is aborted and when the connection is closed: the last two reject a pending read.
 */
export const iterate = <A, R>(
  stream: Stream.Stream<A, unknown, R>,
  context: () => Promise<Context.Context<R>>,
  options: { readonly open: Open; readonly signal: AbortSignal | undefined }
): AsyncIterable<A> => ({
  [Symbol.asyncIterator]: () => {
    const { open, signal } = options
    let source: Promise<AsyncIterator<A>> | undefined
    let ended: Promise<void> | undefined
    let stopped: { readonly reason: unknown } | undefined

    const end = (): Promise<void> =>
      (ended ??= (async () => {
        open.delete(close)
        signal?.removeEventListener("abort", abort)
        await (await source?.catch(() => undefined))?.return?.()
      })())
    const stop = (reason: unknown) => {
      stopped ??= { reason }
      return end()
    }
    const close = () => stop(undefined)
    const abort = () => void stop(signal?.reason).catch(() => undefined)
    const start = async () => {
      open.add(close)
      signal?.addEventListener("abort", abort, { once: true })
      if (signal?.aborted === true) abort()
      return Stream.toAsyncIterableWith(stream, await context())[Symbol.asyncIterator]()
    }
    const done = { done: true, value: undefined } as const

    return {
      next: async () => {
        if (ended !== undefined) return done
        try {
          const iterator = await (source ??= start())
          const next = stopped === undefined ? await iterator.next() : done
          if (stopped !== undefined) throw interrupted(stopped.reason)
          if (next.done === true) await end()
          return next
        } catch (error) {
          await end()
          throw toSignalboxError(error)
        }
      },
      return: async () => {
        await end()
        return done
      }
    }
  }
})
