/**
 * The plug-in, before anything is called.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "vitest"

describe("the plug-in", () => {
  it("loads its properties, and neither the vendor nor what reaches it, until it is called", () => {
    const program = `
      import { registerHooks } from "node:module"
      await import(${JSON.stringify(join(import.meta.dirname, "../../core/dist/plugin/index.js"))})
      await import(${JSON.stringify(join(import.meta.dirname, "../../core/dist/spi/index.js"))})
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const { default: gcp } = await import(${JSON.stringify(join(import.meta.dirname, "../dist/index.js"))})
      console.log(JSON.stringify({ kinds: Object.keys(gcp().providers), loaded }))`
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })
    const { kinds, loaded } = JSON.parse(said) as { readonly kinds: Array<string>; readonly loaded: Array<string> }
    assert.deepStrictEqual(kinds, ["gcp:cloud-run", "gcp:cloud-run-job", "gcp:firebase-hosting"])
    assert.isAbove(loaded.length, 5)
    assert.deepStrictEqual(
      loaded.filter(
        (url) =>
          !/provider-gcp\/dist\/([\w-]+|\w+\/(Fields|Names|Properties|\w+Provider|\w+Properties|\w+Endpoint))\.js$/.test(
            url
          )
      ),
      []
    )
  })
})
