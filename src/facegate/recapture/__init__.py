"""What a second camera makes of any picture: paper, displays, cut-outs, and the camera itself."""
