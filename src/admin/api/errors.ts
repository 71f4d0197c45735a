/** What went wrong, under a stable code, and what to do. */
export interface ApiError {
  error: { code: string; message: string; hint: string };
}
