module ports(
  input  wire         clock, input wire reset, input wire signed [7:0] s8,
  input  wire         a1, input wire [7:0] a8, input wire [15:0] a16, input wire [32:0] a33, input wire [63:0] a64,
  input  wire [99:0]  a100, input wire [31:0] a32,
  output wire         y1, output wire [7:0] y8, output wire [15:0] y16, output wire [32:0] y33, output wire [63:0] y64,
  output wire [99:0]  y100, output wire [31:0] y32, output wire signed [11:0] neg, output reg [15:0] count,
  output wire         a__b
);
  assign y1 = ~a1;
  assign y8 = ~a8;
  assign y16 = ~a16;
  assign y32 = ~a32;
  assign y33 = ~a33;
  assign y64 = ~a64;
  assign y100 = a100 + 100'd1;
  assign neg = -{{4{s8[7]}}, s8};
  assign a__b = a1;
  always @(posedge clock) count <= reset ? 16'd0 : count + 16'd1;
endmodule
