import { query } from "$app/server";

export const secret = query(async () => "content:remote");
