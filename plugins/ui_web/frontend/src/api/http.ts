/** Requests to the server that this page came from. Every failure is an ApiError with words that can be shown. */
import { base } from "../app/router";

/** `code` is MLflow's error_code, or "UNREACHABLE" where no answer came. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** True where the thing asked for is not there. */
  get isMissing(): boolean {
    return this.status === 404;
  }
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Fields = Record<string, string | number | boolean | readonly string[] | undefined>;

/** The address of something on the server. */
export function url(path: string, fields: Fields = {}): string {
  return base + withFields(path, fields);
}

/** A path with parameters behind it. */
export function withFields(path: string, fields: Fields): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return path + (text ? `?${text}` : "");
}

/** Read an answer in JSON. */
export async function get<T>(path: string, fields: Fields = {}, signal?: AbortSignal): Promise<T> {
  const answer = await answered(url(path, fields), signal ? { signal } : {});
  return arrived(answer.json() as Promise<T>);
}

/** Send JSON and read an answer in JSON. */
export async function post<T>(path: string, form: object, signal?: AbortSignal, method = "POST"): Promise<T> {
  const answer = await sent(path, form, signal, method);
  return arrived(answer.json() as Promise<T>);
}

/** Send JSON and read bytes. */
export async function postForBytes(path: string, form: object, signal?: AbortSignal): Promise<ArrayBuffer> {
  const answer = await sent(path, form, signal, "POST");
  return arrived(answer.arrayBuffer());
}

/** Read a text, no more than `most` bytes of it; `isCut` says whether there is more. */
export async function getText(path: string, fields: Fields, most: number, signal?: AbortSignal): Promise<{ text: string; isCut: boolean }> {
  const answer = await answered(url(path, fields), signal ? { signal } : {});
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  while (reader) {
    const { done, value } = await arrived(reader.read());
    if (done) break;
    size += value.length;
    text += decoder.decode(value, { stream: true });
    if (size > most) {
      await reader.cancel();
      return { text: text.slice(0, most), isCut: true };
    }
  }
  return { text: text + decoder.decode(), isCut: false };
}

async function sent(path: string, form: object, signal: AbortSignal | undefined, method: string): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return answered(url(path), { method, headers, body: JSON.stringify(form), ...(signal ? { signal } : {}) });
}

async function answered(address: string, asked: RequestInit): Promise<Response> {
  const answer = await arrived(fetch(address, asked), "The server does not answer. Is it still running?");
  if (answer.ok) return answer;
  const told = (await answer.json().catch(() => ({}))) as { error_code?: string; message?: string };
  throw new ApiError(told.message ?? `The server answered with ${answer.status}.`, told.error_code ?? "UNKNOWN", answer.status);
}

/** What comes over the network; where it does not, an ApiError, unless it is not wanted any more. */
async function arrived<T>(coming: Promise<T>, otherwise = "The answer of the server broke off."): Promise<T> {
  try {
    return await coming;
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === "AbortError") throw fault;
    throw new ApiError(otherwise, "UNREACHABLE", 0);
  }
}
