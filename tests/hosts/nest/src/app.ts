import type { IncomingMessage } from "node:http";
import { Controller, Get, Module, Post, Req, Res } from "@nestjs/common";
import { type OnGatewayConnection, WebSocketGateway } from "@nestjs/websockets";
import type { Request, Response } from "express";
import type { WebSocket } from "ws";
import { about } from "./about.js";

@Controller()
class Pages {
  @Get("/")
  home(@Req() req: Request) {
    return about("home", req);
  }

  @Get("/dashboard")
  dashboard(@Req() req: Request) {
    return about("dashboard", req);
  }

  @Get("/api/me")
  me(@Req() req: Request) {
    return about("me", req);
  }

  @Post("/api/note")
  async note(@Req() req: Request) {
    let bytes = 0;
    for await (const chunk of req) bytes += (chunk as Buffer).length;
    return `${await about("note", req)} bytes:${bytes}`;
  }

  @Get("/stream")
  async stream(@Req() req: Request, @Res() res: Response) {
    res.type("text/event-stream").write(`data: ${await about("stream", req)}\n\n`);
  }
}

@WebSocketGateway({ path: "/socket" })
class Sockets implements OnGatewayConnection {
  async handleConnection(socket: WebSocket, req: IncomingMessage) {
    socket.send(await about("socket", req));
  }
}

@Module({ controllers: [Pages], providers: [Sockets] })
export class App {}
