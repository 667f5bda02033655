import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { Redaction } from "../../../src/domain/index.ts"

const redact = (text: string, options: Parameters<typeof Redaction.make>[0] = {}) =>
  Redaction.make(options).redact(text)

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** Assembled at run time, so that scanners do not take this file for a leak. */
const tokens = [
  ["ghp", "_", "a1B2".repeat(9)],
  ["github_pat", "_", "a1B2c3_".repeat(8)],
  ["glpat", "-", "a1B2-".repeat(5)],
  ["AKI", "A", "ABCD1234".repeat(2)],
  ["AIz", "a", "a1B2_".repeat(7)],
  ["ya2", "9.", "a1B2-c3.".repeat(6)],
  ["xox", "b-", "1234-5678-abcd"],
  ["sk_live", "_", "a1B2".repeat(6)],
  ["npm", "_", "a1B2".repeat(9)],
  ["eyJ", "hbGciOiJI", ".eyJzdWIiOiIxMjM0.", "c2lnbmF0dXJl"]
].map((parts) => parts.join(""))

const pem = (eol: string) =>
  [
    `-----BEGIN RSA PRIVATE ${"KEY"}-----`,
    "MIIEowIBAAKCAQEAplanted",
    "b3RoZXJsaW5lb2Z0aGVrZXk=",
    `-----END RSA PRIVATE ${"KEY"}-----`
  ].join(eol)

describe("secrets known by value", () => {
  const env = {
    DB_PASSWORD: "hunter2 & co",
    GITHUB_TOKEN: "planted-token",
    DEPLOY_KEY: "line one of it\nline two of it\n",
    SIGNING_KEY: "päss/wörd+1",
    DATABASE_URL: "postgres://app:p%40ss-in-url@db.internal/shop",
    MY_PIN: "4711-0815",
    PWD: "/home/ada",
    TOKEN: "abc",
    FEATURE_SECRET: "true",
    HOME: "/home/ada"
  }

  it("is the value of a variable that is named like a secret, or is named to be one, or a password in a URL", () => {
    const text = "hunter2 & co|planted-token|p%40ss-in-url|p@ss-in-url|4711-0815"
    expect(redact(text, { env, names: ["MY_PIN"] })).toBe("***|***|***|***|***")
    expect(redact("4711-0815 in /home/ada: true abc", { env })).toBe("4711-0815 in /home/ada: true abc")
  })

  it("is found in base64, at any offset, percent-encoded and in JSON", () => {
    const secret = env.SIGNING_KEY
    for (const prefix of ["", "u", "us", "use", "user:"]) {
      const bytes = new TextEncoder().encode(`${prefix}${secret} and more`)
      const encoded = btoa(String.fromCharCode(...bytes))
      for (const text of [encoded, encoded.replaceAll("+", "-").replaceAll("/", "_")]) {
        const out = redact(`got ${text}`, { env })
        expect(out).toContain("***")
        expect(out.length).toBeLessThan(`got ${text}`.length - secret.length + 5)
      }
    }
    expect(redact(`?p=${encodeURIComponent(secret)}&q=${encodeURIComponent(secret).toLowerCase()}`, { env })).toBe(
      "?p=***&q=***"
    )
    expect(redact(JSON.stringify({ key: 'say "it"' }), { values: ['say "it"'] })).toBe('{"key":"***"}')
  })

  it("is found in bytes that were not decoded", () => {
    const bytes = String.fromCharCode(...new TextEncoder().encode(`a ${env.SIGNING_KEY} b`))
    expect(redact(bytes, { env })).toBe("a *** b")
  })

  it("of several lines is found line by line", () => {
    expect(redact("| line one of it\r\n| line two of it\n", { env })).toBe("| ***\r\n| ***\n")
    expect(redact(JSON.stringify(env.DEPLOY_KEY), { env })).toBe('"***\\n"')
  })

  it("is the longest that fits", () => {
    expect(redact("planted planted-token", { values: ["planted", "planted-token"] })).toBe("*** ***")
  })
})

describe("secrets known by form", () => {
  it.each(tokens)("is %s", (token) => {
    expect(redact(`use "${token}" now`)).toBe('use "***" now')
  })

  it("is what follows its announcement", () => {
    expect(redact("postgres://app:hunter2@db/shop and https://host:8080/a@b")).toBe(
      "postgres://app:***@db/shop and https://host:8080/a@b"
    )
    expect(redact("> Authorization: Basic dXNlcjpwYXNz\n'authorization': 'xyz-123',")).toBe(
      "> Authorization: Basic ***\n'authorization': '***',"
    )
    expect(redact('"SecretAccessKey": "abcdEFGH1234/+abcdEFGH1234", aws_session_token = IQoJb3JpZ2luX2VjEJ=')).toBe(
      '"SecretAccessKey": "***", aws_session_token = ***'
    )
    expect(redact(`Bearer ${"abcdefgh".repeat(3)} was used`)).toBe("Bearer *** was used")
  })

  it("is a private key, on lines of its own or on one", () => {
    expect(redact(`before\n${pem("\n")}\nafter`)).toBe("before\n***\n***\n***\n***\nafter")
    expect(redact(`{"private_key": "${pem("\\n")}\\n", "id": 1}\nafter`)).toBe(
      '{"private_key": "***\\n", "id": 1}\nafter'
    )
  })

  it("is no private key if only its beginning looks like one", () => {
    const long = "x".repeat(3000)
    expect(redact(`${pem("\n").split("\n")[0]}\n${long}\nafter`)).toBe(`***\n${long}\nafter`)
  })

  it.each([
    "Resource arn:aws:iam::123456789012:role/deploy is up at https://console.aws.amazon.com/x?y=1#z",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "token: expired; the bearer of this; authorization failed",
    "ghp_short AKIA eyJ.eyJ. npm_install"
  ])("is not %s", (text) => {
    expect(redact(text)).toBe(text)
  })
})

describe("a text in pieces", () => {
  /** Relevant pieces, in the order of choices; no secret is part of another or of a filler. */
  const known = ["hunter2!", "correct horse\nbattery staple", "zäh€-secret", "hunt", "ter2!xyz"]
  const fillers = [
    "ab ",
    "h",
    "hun",
    "\n",
    "\r",
    "\r\n",
    "-----",
    "-----BEGIN ",
    "://u:",
    "@",
    "Bearer ",
    "x".repeat(90),
    "cor",
    "gh",
    "ü"
  ]
  const all = [...known, ...tokens, ...fillers, pem("\n"), pem("\\n"), btoa("user:hunter2!")]
  const secrets = [...known.flatMap((secret) => secret.split("\n")), ...tokens, "MIIEowIBAAKCAQEAplanted"]
  const redactor = Redaction.make({ values: known })

  const cut = (text: string, sizes: ReadonlyArray<number>): ReadonlyArray<string> => {
    const pieces: Array<string> = []
    let at = 0
    for (let n = 0; at < text.length; n++) {
      const size = sizes.length === 0 ? text.length : 1 + sizes[n % sizes.length]!
      pieces.push(text.slice(at, at + size))
      at += size
    }
    return pieces
  }

  const streamed = (pieces: ReadonlyArray<string>, idle: (n: number) => boolean): string => {
    const stream = redactor.stream()
    const out = pieces.map((piece, n) => stream.push(piece) + (idle(n) ? stream.idle() : ""))
    return out.join("") + stream.end()
  }

  const choices = Schema.Array(small(all.length - 1))
  const sizes = Schema.Array(small(40))

  it.prop(
    "is the same however it is cut, and holds no secret",
    [choices, sizes],
    ([choices, sizes]) => {
      const text = choices.map((choice) => all[choice]!).join("")
      const out = streamed(cut(text, sizes), () => false)
      expect(out).toBe(redactor.redact(text))
      for (const secret of known.flatMap((value) => value.split("\n"))) expect(out).not.toContain(secret)
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "holds no secret that is known by its value, nor a whole one of the others, wherever it pauses",
    [choices, sizes, Schema.Array(Schema.Boolean)],
    ([choices, sizes, pauses]) => {
      const text = choices.map((choice) => `${all[choice]!} `).join("")
      const out = streamed(cut(text, sizes), (n) => pauses[n % Math.max(1, pauses.length)] ?? true)
      for (const secret of secrets) expect(out).not.toContain(secret)
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "loses nothing that is no secret, wherever it pauses",
    [Schema.Array(small(3)), sizes],
    ([choices, sizes]) => {
      const text = choices.map((choice) => ["Proceed? ", "\n", "hun", "10 %\r"][choice]!).join("")
      expect(streamed(cut(text, sizes), () => true)).toBe(text)
    }
  )

  it.prop(
    "without the end of a line is the same too",
    [small(200_000), small(90_000)],
    ([offset, size]) => {
      const line = (filler: number) => "0123456789".repeat(Math.ceil(filler / 10)).slice(0, filler)
      const text = `${line(offset)}hunter2!${tokens[0]}${line(120_000)}${tokens[9]} ${pem("\\n")}${line(150_000)}hunt`
      const out = streamed(cut(text, [size]), () => false)
      expect(out === redactor.redact(text)).toBe(true)
      expect(out.includes("***")).toBe(true)
      for (const secret of [...known, "MIIE"]) expect(out.includes(secret)).toBe(false)
    },
    { arbitrary: { runs: 30 } }
  )

  it("keeps together a value that is cut in the middle of an incomplete line", () => {
    for (const secret of ["hunter2!", ...tokens]) {
      const pieces = ["0".repeat(200_000) + secret.slice(0, 7), `${secret.slice(7)} ${"0".repeat(200_000)}`]
      const out = streamed(pieces, () => false)
      expect(out === redactor.redact(pieces.join("")) && out.includes("0*** 0")).toBe(true)
    }
  })

  it.each(tokens)("shows nothing of %s while it comes", (token) => {
    const stream = redactor.stream()
    stream.push(`use ${token.slice(0, 12)}`)
    expect(stream.idle()).toBe("use ")
    stream.push(token.slice(12, -1))
    expect(stream.idle()).toBe("")
    expect(stream.push(`${token.slice(-1)}\n`)).toBe("***\n")
  })

  it("gives whole lines at once, and the beginning of one when it pauses", () => {
    const stream = redactor.stream()
    expect(stream.push("one\ntwo:")).toBe("one\n")
    expect(stream.idle()).toBe("two:")
    expect(stream.idle()).toBe("")
    expect(stream.push(" three hunt")).toBe("")
    expect(stream.idle()).toBe(" three ")
    expect(stream.push("er2! four:")).toBe("")
    expect(stream.idle()).toBe("*** four:")
    expect(stream.end()).toBe("")
  })
})
