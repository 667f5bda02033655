import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Node } from "../../domain/Graph.ts"

/**
 * How one node of a graph ended.
 */
export type NodeOutcome<A, E> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Failed"; readonly error: E }
  | { readonly _tag: "Skipped"; readonly because: string }

/**
 * Works through a dependency graph: each node starts when its own dependencies are done, without waves, at most
 * `parallelism` at once.
 *
 * *Details*: a node whose dependency failed or was skipped is skipped, unless `regardless` is given. Never fails: the
 * result contains the outcome of each node.
 */
export const traverse = Effect.fnUntraced(function* <N extends Node, A, E, R>(options: {
  readonly nodes: ReadonlyArray<N>
  readonly parallelism: number
  readonly work: (node: N) => Effect.Effect<A, E, R>
  readonly regardless?: boolean
}): Effect.fn.Return<ReadonlyMap<N["name"], NodeOutcome<A, E>>, never, R> {
  const permits = yield* Semaphore.make(options.parallelism)
  const ends = new Map<string, Deferred.Deferred<NodeOutcome<A, E>>>()
  for (const { name } of options.nodes) ends.set(name, yield* Deferred.make<NodeOutcome<A, E>>())

  const awaitDependencies = Effect.fnUntraced(function* (node: N) {
    for (const dependency of node.dependsOn) {
      const end = ends.get(dependency)
      if (end === undefined) continue
      const { _tag } = yield* Deferred.await(end)
      if (_tag !== "Done" && options.regardless !== true) return dependency
    }
    return undefined
  })

  const pairs = yield* Effect.forEach(
    options.nodes,
    Effect.fnUntraced(function* (node) {
      const because = yield* awaitDependencies(node)
      const end: NodeOutcome<A, E> =
        because === undefined
          ? yield* Effect.match(permits.withPermit(options.work(node)), {
              onFailure: (error) => ({ _tag: "Failed", error }) as const,
              onSuccess: (value) => ({ _tag: "Done", value }) as const
            })
          : { _tag: "Skipped", because }
      yield* Deferred.succeed(ends.get(node.name)!, end)
      return [node.name, end] as const
    }),
    { concurrency: "unbounded" }
  )
  return new Map(pairs)
})
