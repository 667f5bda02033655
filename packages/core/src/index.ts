/**
 * Signalbox for programs: the facade, the configuration helpers and the words that they speak.
 *
 * *Example*
 *
 * ```ts
 * import { Providers, Signalbox } from "@signalbox/core"
 * import { embeddedStore } from "@signalbox/node"
 * import { LocalProvider } from "@signalbox/provider-local"
 * import { Layer } from "effect"
 *
 * const local = LocalProvider.make({ directory: ".signalbox" })
 * export const layer = Signalbox.layer.pipe(
 *   Layer.provideMerge(embeddedStore({ directory: ".signalbox" })),
 *   Layer.provide(Providers.layer([local]))
 * )
 * ```
 */
export * from "./engine/index.ts"
export * from "./spi/index.ts"
