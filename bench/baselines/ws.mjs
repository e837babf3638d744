// A broadcast on npm's ws: what one sends, all get. Usage: node ws.mjs PORT
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const peer of server.clients) peer.send(data, { binary: false });
  });
});
