-- The payload with plain vectors at its links: per link 64 bits of data below the flags valid,
-- start, start of orbit, last.
library ieee;
use ieee.std_logic_1164.all;
use work.ipbus.all;
use work.emp_data_types.all;
use work.emp_device_decl.all;
use work.emp_ttc_decl.all;

entity flat_payload is
    port (
        clk       : in  std_logic;
        ipb_rst   : in  std_logic;
        address   : in  std_logic_vector(31 downto 0);
        wdata     : in  std_logic_vector(31 downto 0);
        strobe    : in  std_logic;
        writing   : in  std_logic;
        rdata     : out std_logic_vector(31 downto 0);
        ack       : out std_logic;
        clk_p     : in  std_logic;
        rst_p     : in  std_logic;
        frames    : in  std_logic_vector(4 * N_REGION * 68 - 1 downto 0);
        results   : out std_logic_vector(4 * N_REGION * 68 - 1 downto 0)
    );
end entity;

architecture rtl of flat_payload is
    signal ipb_in  : ipb_wbus;
    signal ipb_out : ipb_rbus;
    signal d, q    : ldata(4 * N_REGION - 1 downto 0);
    signal ctrs    : ttc_stuff_array;
begin
    ipb_in <= (address, wdata, strobe, writing);
    rdata  <= ipb_out.ipb_rdata;
    ack    <= ipb_out.ipb_ack;
    ctrs   <= (others => ((others => '0'), '0', (others => '0'), (others => '0')));

    links : for i in 0 to 4 * N_REGION - 1 generate
        d(i).data   <= frames(68 * i + 63 downto 68 * i);
        d(i).valid  <= frames(68 * i + 64);
        d(i).start  <= frames(68 * i + 65);
        d(i).strobe <= '1';
        results(68 * i + 67 downto 68 * i) <= "00" & q(i).start & q(i).valid & q(i).data;
    end generate;

    payload : entity work.emp_payload
        port map (
            clk         => clk,
            rst         => ipb_rst,
            ipb_in      => ipb_in,
            ipb_out     => ipb_out,
            clk_payload => "000",
            rst_payload => "000",
            clk_p       => clk_p,
            rst_loc     => (others => rst_p),
            clken_loc   => (others => '1'),
            ctrs        => ctrs,
            bc0         => open,
            d           => d,
            q           => q,
            gpio        => open,
            gpio_en     => open
        );
end architecture;
