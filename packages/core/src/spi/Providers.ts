import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Provider } from "./Provider.ts"

/**
 * The installed providers, by kind.
 */
export class Providers extends Context.Service<Providers, ReadonlyMap<string, Provider>>()(
  "@signalbox/core/spi/Providers"
) {
  static readonly layer = (providers: ReadonlyArray<Provider>): Layer.Layer<Providers> =>
    Layer.succeed(Providers, new Map(providers.map((provider) => [provider.kind, provider])))
}
