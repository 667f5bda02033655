import { resolve } from "node:path"
import { refuse } from "../supervisor/Protocol.ts"

/** Where an artifact is, and its expected digest. */
export interface Source {
  /** As given by the user, without the digest and with unresolved secrets. */
  readonly shown: string
  readonly location: { readonly url: string } | { readonly path: string }
  readonly archive: boolean
  readonly digest: string | undefined
  /** Whether the deployment named it, or the properties of the stack. */
  readonly from: "deployment" | "properties"
}

export const isArchiveName = (name: string): boolean => /\.(tar\.gz|tgz)$/i.test(name)

/** Rejects an invalid artifact: the cause first, and where the artifact was named. */
export const invalid = (source: Pick<Source, "shown" | "from">, cause: string, advice?: string): never => {
  const where = `${source.shown} ${givenIn(source)}.`
  return refuse({
    _tag: "Invalid",
    message: `the artifact ${source.shown} cannot be deployed: ${cause}`,
    path: ["artifact"],
    hint: `${advice ?? "Correct the artifact."} ${where}`
  })
}

/** Rejects a missing artifact. */
export const missing = (source: Source, cause: string): never =>
  refuse({ _tag: "Missing", message: `the artifact ${source.shown} ${cause}; it ${givenIn(source)}` })

const givenIn = ({ from }: Pick<Source, "from">): string =>
  from === "deployment" ? "was given with the deployment (--artifact)" : `is "artifact" in the properties of the stack`

/**
 * Parses the user's input: a path or an http(s) URL, with an optional `#sha256=…` at its end. `${NAME}` in a URL stands
 * for an environment variable, so that no token has to be written down; a password in the URL itself is rejected.
 */
export const parse = (
  given: string,
  from: Source["from"],
  digest: string | undefined,
  cwd: string,
  env: NodeJS.ProcessEnv
): Source => {
  const path = ["artifact"]
  const [, shown, hex] = /^(.*?)(?:#sha256=([0-9a-fA-F]{64}))?$/s.exec(given)!
  if (/#sha256=/.test(shown!)) {
    refuse({ _tag: "Invalid", message: "a sha256 digest has 64 hexadecimal digits", path })
  }
  const expected = hex === undefined ? digest : `sha256:${hex.toLowerCase()}`
  if (!/^https?:\/\//i.test(shown!)) {
    const absolute = resolve(cwd, shown!)
    return { shown: shown!, location: { path: absolute }, archive: isArchiveName(shown!), digest: expected, from }
  }
  if (/^https?:\/\/[^/]*:[^/$]*@/i.test(shown!)) {
    refuse({
      _tag: "Invalid",
      message: "the URL holds a password",
      path,
      hint: `Write ${from === "deployment" ? "" : "$"}\${NAME} in its place, and give that environment variable.`
    })
  }
  const url = shown!.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (_, name: string) =>
      env[name] ?? refuse({ _tag: "Invalid", message: `the environment variable ${name} is not set`, path })
  )
  if (!URL.canParse(url)) refuse({ _tag: "Invalid", message: `${shown} is not a URL`, path })
  return { shown: shown!, location: { url }, archive: true, digest: expected, from }
}
